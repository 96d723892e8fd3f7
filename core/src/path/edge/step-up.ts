import type { Admitted, JsonObject } from '#call';
import { challengeOf, missingKinds } from './challenge.ts';
import type { Exchange } from './exchange.ts';
import type { RequestId } from './ids.ts';
import { callMethods } from './methods.ts';
import { CODE, refuse } from './wire.ts';

type Asked = { id: RequestId; method: string; params: object };

/** Refuses a call of a kind that the access token is not for, and says what to ask for instead (RFC 6750, 3.1). */
export const stepUp = (exchange: Exchange, { id, method, params }: Asked, { caller }: Admitted): boolean => {
  const { kinds } = caller.scope;
  if (!kinds) return false;
  let kind: ReturnType<NonNullable<(typeof callMethods)[string]>>['kind'] | undefined;
  try {
    kind = callMethods[method]?.(params as JsonObject).kind;
  } catch {
    // Said in the words of the method, where it is read.
    return false;
  }
  const wanted = kind && missingKinds(kinds, kind);
  if (!wanted) return false;
  const message = `The access token is not for ${kind}s: authorize again with the scope that the challenge names.`;
  refuse(
    exchange,
    403,
    id,
    { code: CODE.notAdmitted, message },
    {
      'www-authenticate': challengeOf(exchange.resourceMetadata, 'insufficient_scope', wanted),
    },
  );
  return true;
};
