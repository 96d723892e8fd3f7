ALTER TABLE "user" ADD COLUMN "directory" jsonb;--> statement-breakpoint
ALTER TABLE "user" ADD COLUMN "user_name" text GENERATED ALWAYS AS (lower(coalesce(directory->>'userName', email, id))) STORED;--> statement-breakpoint
CREATE INDEX "user_user_name" ON "user" USING btree ("workspace_id","user_name");