-- Each row belongs to a workspace, and is there only for whoever works for that one, or for all ('*').
ALTER TABLE "audit_record" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "audit_record" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "audit_record" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "authenticator" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "authenticator" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "authenticator" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "endpoint" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "endpoint" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "endpoint" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "environment" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "environment" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "environment" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "external_identity" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "external_identity" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "external_identity" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "identity_provider" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "identity_provider" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "identity_provider" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "oauth_client" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "oauth_client" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "oauth_client" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "oauth_record" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "oauth_record" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "oauth_record" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "passkey" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "passkey" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "passkey" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "password" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "password" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "password" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "role" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "role" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "role" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "server" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "server" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "server" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "session" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "session" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "session" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "setup_link" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "setup_link" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "setup_link" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "sign_in" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "sign_in" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "sign_in" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "task" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "task" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "task" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "team" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "team" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "team" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "team_member" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "team_member" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "team_member" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "token" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "token" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "token" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "user" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "user" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "user" USING ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("workspace_id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
--> statement-breakpoint
ALTER TABLE "workspace" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "workspace" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "workspace" ON "workspace" USING ("id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*') WITH CHECK ("id" = current_setting('peta.workspace', true) OR current_setting('peta.workspace', true) = '*');
