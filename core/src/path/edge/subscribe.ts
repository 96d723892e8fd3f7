import type { Admitted, JsonObject } from '#call';
import { askOf, type EdgeParts, type Reply, runMethod } from './edge.ts';
import type { RequestId } from './ids.ts';

type Subscription = {
  id: RequestId;
  params: JsonObject;
  /** The caller with the permissions of now. */
  admitted(): Admitted;
  resourceNotFound: number;
  /** Ends it. */
  signal: AbortSignal;
  updated(params: JsonObject): void;
};

/** Tells of the changes of one resource for as long as it lasts and the caller may read the resource. */
export const subscribe = (parts: EdgeParts, subscription: Subscription): Promise<Reply> => {
  const { id, params, admitted, resourceNotFound, signal, updated } = subscription;
  const method = 'resources/subscribe';
  const notify = (_method: string, content: JsonObject) => {
    const ask = askOf({ id, method, params, signal, notify: () => {} });
    void parts.path.permits(ask, admitted()).then(
      (isPermitted) => isPermitted && updated(content),
      () => {},
    );
  };
  return runMethod(parts, { id, method, params, admitted: admitted(), signal, notify, resourceNotFound });
};
