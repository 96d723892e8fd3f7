import type { Permissions } from '@peta/api';

/** Permissions with one server of them, or one tool of it, switched on or off. */
export const withAccess = (
  permissions: Permissions,
  serverId: string,
  tool: string | undefined,
  enabled: boolean,
): Permissions => {
  const held = permissions[serverId];
  const switches = tool
    ? {
        ...held,
        enabled: held?.enabled ?? enabled,
        tools: { ...held?.tools, [tool]: { ...held?.tools?.[tool], enabled } },
      }
    : { ...held, enabled };
  return { ...permissions, [serverId]: switches };
};

/** `a, b, not c`: the servers that permissions speak of. */
export const serversIn = (permissions: Permissions): string =>
  Object.entries(permissions)
    .map(([id, { enabled }]) => (enabled ? id : `not ${id}`))
    .join(', ');
