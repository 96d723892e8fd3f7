import type { ClearedCall, JsonObject, Question, Reply } from '#call';
import { RpcError } from './errors.ts';
import { pagesIn, type Visits } from './pages.ts';
import { mayAsk } from './questions.ts';
import type { Hooks } from './run.ts';

/** Sends a call to its server; `more` goes along in its parameters. */
export type Send = (more: JsonObject) => Promise<JsonObject>;

const INVALID_PARAMS = -32602;
const INTERNAL = -32603;
/** How long a server is given to say that the user has done with a page. */
const VISIT_MS = 30_000;
/** How often a user is sent to pages for one call. */
const MAX_VISITS = 8;
const NOT_VISITED = 'The server does not go on before a page was visited, and that was declined.';

/** Asks the client behind the call; what it did not declare it is not asked. */
export const askClient = async (
  call: ClearedCall,
  question: Question,
  signal: AbortSignal,
  hooks: Hooks,
): Promise<Reply> =>
  mayAsk(call.client.capabilities, question)
    ? hooks.onQuestion(question, signal)
    : { error: { code: INVALID_PARAMS, message: `The client does not take ${question.method} as asked.` } };

/** Answers to all questions of one round, or the first refusal among them. */
export const answerAll = async (call: ClearedCall, questions: Readonly<Record<string, Question>>, hooks: Hooks) => {
  const keys = Object.keys(questions);
  const replies = await Promise.all(
    Object.values(questions).map((question) => askClient(call, question, hooks.signal, hooks)),
  );
  const refused = replies.find((reply) => 'error' in reply);
  if (refused) return refused;
  const entries = replies.map((reply, at): [string, JsonObject] => [
    keys[at] ?? '',
    'result' in reply ? reply.result : {},
  ]);
  return { responses: Object.fromEntries(entries) };
};

const isAccept = (response: JsonObject): boolean => response.action === 'accept';

/**
 * Sends it again once the pages were visited that the server names in its refusal: a client that is asked by the answer
 * alone knows no such refusal, but the question.
 */
export const afterVisits =
  (call: ClearedCall, send: Send, hooks: Hooks, visits: Visits): Send =>
  async (more) => {
    for (let round = 0; ; round += 1)
      try {
        return await send(more);
      } catch (error) {
        const pages = call.question ? undefined : pagesIn(error);
        const mayVisit = pages?.every((page) => mayAsk(call.client.capabilities, page));
        if (!pages || !mayVisit || round >= MAX_VISITS) throw error;
        const answered = await answerAll(call, Object.fromEntries(pages.entries()), hooks);
        const isAccepted = 'responses' in answered && Object.values(answered.responses).every(isAccept);
        if (!isAccepted) throw new RpcError(INTERNAL, NOT_VISITED, undefined);
        await visits.all(pages, VISIT_MS, hooks.signal);
      }
  };
