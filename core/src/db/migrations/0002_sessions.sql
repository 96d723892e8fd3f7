CREATE TABLE "process" (
	"id" uuid PRIMARY KEY NOT NULL,
	"instance_id" text NOT NULL,
	"seen_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "session" (
	"hash" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"kind" text NOT NULL,
	"user_id" text,
	"endpoint" text NOT NULL,
	"client" jsonb NOT NULL,
	"protocol_version" text NOT NULL,
	"log_level" text,
	"subscriptions" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_used_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "stream_event" (
	"stream" text NOT NULL,
	"number" integer NOT NULL,
	"sealed" text NOT NULL,
	CONSTRAINT "stream_event_stream_number_pk" PRIMARY KEY("stream","number")
);
--> statement-breakpoint
CREATE TABLE "stream" (
	"id" text PRIMARY KEY NOT NULL,
	"session" text NOT NULL,
	"request_id" text,
	"process_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "session" ADD CONSTRAINT "session_workspace_id_workspace_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspace"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stream_event" ADD CONSTRAINT "stream_event_stream_stream_id_fk" FOREIGN KEY ("stream") REFERENCES "public"."stream"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stream" ADD CONSTRAINT "stream_session_session_hash_fk" FOREIGN KEY ("session") REFERENCES "public"."session"("hash") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "session_last_used" ON "session" USING btree ("last_used_at");--> statement-breakpoint
CREATE INDEX "stream_session" ON "stream" USING btree ("session");--> statement-breakpoint
CREATE INDEX "stream_ended" ON "stream" USING btree ("ended_at");