import type { AuditRecord, Handlers } from '@peta/api';
import { invalid } from './errors.ts';
import type { Asker } from './run.ts';
import { callerOf } from './users.ts';

type Filter = {
  workspaceId: string;
  kind?: string | undefined;
  userId?: string | undefined;
  serverId?: string | undefined;
  operation?: string | undefined;
  outcome?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  cursor?: string | undefined;
  limit: number;
};

type Ports = {
  list(filter: Filter): Promise<{ records: AuditRecord[]; nextCursor: string | null }>;
};

export const createAuditLog = ({ list }: Ports): Handlers<Asker>['audit'] => ({
  list: (filter, who) =>
    list({ ...filter, workspaceId: callerOf(who).workspaceId }).catch((error: unknown) => {
      throw error instanceof Error && error.name === 'BadCursor' ? invalid(`cursor: ${error.message}`) : error;
    }),
});
