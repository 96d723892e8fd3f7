CREATE TABLE "task" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"owner_kind" text NOT NULL,
	"user_id" text,
	"endpoint" text NOT NULL,
	"server_id" text NOT NULL,
	"tool" text NOT NULL,
	"own_id" text,
	"state" jsonb NOT NULL,
	"sealed_ending" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "task" ADD CONSTRAINT "task_workspace_id_workspace_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspace"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "task_owner" ON "task" USING btree ("workspace_id","owner_kind","user_id","created_at");--> statement-breakpoint
CREATE INDEX "task_expires" ON "task" USING btree ("expires_at");