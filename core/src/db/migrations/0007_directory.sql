ALTER TABLE "user" ADD COLUMN "directory" jsonb;--> statement-breakpoint
CREATE INDEX "user_name" ON "user" USING btree ("workspace_id",lower(coalesce("directory"->>'userName', "email", "id")));