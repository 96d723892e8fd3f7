CREATE TABLE "audit_record" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"kind" text NOT NULL,
	"user_id" text,
	"token_id" text,
	"role" smallint,
	"client" text,
	"address" text,
	"session_id" text,
	"request_id" text,
	"operation" text NOT NULL,
	"server_id" text,
	"name" text,
	"exposed_name" text,
	"arguments" jsonb,
	"rule" text,
	"outcome" text DEFAULT 'interrupted' NOT NULL,
	"error" text,
	"duration_ms" integer
);
--> statement-breakpoint
CREATE TABLE "journal_position" (
	"instance_id" text PRIMARY KEY NOT NULL,
	"segment" bigint NOT NULL,
	"offset" bigint NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "server" (
	"workspace_id" text NOT NULL,
	"id" text NOT NULL,
	"name" text NOT NULL,
	"category" smallint NOT NULL,
	"auth_type" smallint DEFAULT 1 NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"transport" text NOT NULL,
	"sealed_launch_config" text NOT NULL,
	"config_template" text DEFAULT '{}' NOT NULL,
	"switches" jsonb DEFAULT '{"enabled":true}'::jsonb NOT NULL,
	"allow_user_input" boolean DEFAULT false NOT NULL,
	"lazy_start_enabled" boolean DEFAULT true NOT NULL,
	"public_access" boolean DEFAULT false NOT NULL,
	"anonymous_access" boolean DEFAULT false NOT NULL,
	"anonymous_rate_limit" integer DEFAULT 10 NOT NULL,
	"tool_tmpl_id" text,
	"listing" jsonb,
	"listed_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "server_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "setup_link" (
	"hash" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "token" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"user_id" text NOT NULL,
	"name" text NOT NULL,
	"hash" text NOT NULL,
	"mask" text NOT NULL,
	"scope" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	"last_used_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "token_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "user" (
	"workspace_id" text NOT NULL,
	"id" text NOT NULL,
	"name" text NOT NULL,
	"notes" text DEFAULT '' NOT NULL,
	"role" smallint NOT NULL,
	"status" smallint DEFAULT 1 NOT NULL,
	"permissions" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"preferences" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"ratelimit" integer DEFAULT 100 NOT NULL,
	"encrypted_token" text,
	"expires_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "user_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "workspace" (
	"id" text PRIMARY KEY NOT NULL,
	"number" serial NOT NULL,
	"name" text NOT NULL,
	"proxy_key" text,
	"proxy_created_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "server" ADD CONSTRAINT "server_workspace_id_workspace_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspace"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "setup_link" ADD CONSTRAINT "setup_link_workspace_id_workspace_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspace"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "token" ADD CONSTRAINT "token_workspace_id_workspace_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspace"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "user" ADD CONSTRAINT "user_workspace_id_workspace_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspace"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_record_at" ON "audit_record" USING btree ("workspace_id","at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "audit_record_user" ON "audit_record" USING btree ("workspace_id","user_id","at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "audit_record_server" ON "audit_record" USING btree ("workspace_id","server_id","at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "token_user" ON "token" USING btree ("workspace_id","user_id");