import type { FastifyReply, FastifyRequest } from 'fastify';
import { hashToken } from '#lib/token';
import type { KnownBrowsers } from '../known-browser.ts';
import type { PersonKey } from '../people.ts';
import type { SignedIn, SignIns } from '../sign-ins.ts';
import type { Throttle } from '../throttle.ts';
import { type Cookies, mayUseCookie } from './site.ts';

/** Written down of every sign-in and its end, without secrets. */
export type Note = {
  workspaceId: string;
  /** Null where the name given is nobody's: it may be a password in the wrong field. */
  userId: string | null;
  signInId?: string | undefined;
  address: string;
  operation: string;
  details?: Record<string, string | number | string[]>;
  outcome: 'done' | 'refused';
  error?: string;
};
export type Notes = (note: Note) => Promise<void>;

type Options = {
  signIns: SignIns;
  cookies: Cookies;
  known: KnownBrowsers;
  note: Notes;
  throttle: Pick<Throttle, 'remember'>;
};

type Beginning = PersonKey & { methods: string[]; providerId?: string | undefined };

const SESSION = 'peta_session';
const YEAR_S = 365 * 86_400;

/** The sign-in of the browser that sends a request: the port that everything with a page uses. */
export const createBrowser = ({ signIns, cookies, known, note, throttle }: Options) => {
  const current = async (request: FastifyRequest): Promise<SignedIn | undefined> => {
    const secret = cookies.read(request, SESSION);
    if (!secret) return undefined;
    const found = await signIns.current(hashToken(secret));
    if (!found) return undefined;
    const { signInId, workspaceId, userId, at, methods } = found;
    return { signInId, workspaceId, userId, at, methods };
  };

  return {
    /** Who is signed in. The answer to a page; `forApi` also asks that the request may use the cookie. */
    current,

    /** The sign-in that speaks for a request to the API, where it may. */
    forApi: async (request: FastifyRequest): Promise<SignedIn | undefined> =>
      mayUseCookie(request) ? current(request) : undefined,

    /** Signs a person in who has proved who they are: always with a new cookie; the one before ends. */
    async begin(request: FastifyRequest, reply: FastifyReply, who: Beginning): Promise<SignedIn> {
      const before = await current(request);
      const userAgent = request.headers['user-agent'] ?? '';
      const { signedIn, secret } = await signIns.begin({ ...who, address: request.ip, userAgent });
      const { workspaceId, userId, signInId, methods } = signedIn;
      try {
        await note({
          workspaceId,
          userId,
          signInId,
          address: request.ip,
          operation: 'sign-in',
          details: { methods, ...(who.providerId !== undefined && { providerId: who.providerId }) },
          outcome: 'done',
        });
      } catch (error) {
        // What cannot be written down does not happen.
        await signIns.end({ signInId });
        throw error;
      }
      await throttle.remember(who, request.ip);
      if (before) await signIns.end({ signInId: before.signInId });
      cookies.write(request, reply, SESSION, secret);
      cookies.write(request, reply, known.cookieName(who), known.newMark(who), YEAR_S);
      return signedIn;
    },

    /** Signs this browser out. */
    async end(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      const signedIn = await current(request);
      cookies.clear(request, reply, SESSION);
      if (!signedIn) return;
      const { workspaceId, userId, signInId } = signedIn;
      await signIns.end({ signInId });
      await note({ workspaceId, userId, signInId, address: request.ip, operation: 'sign-out', outcome: 'done' });
    },

    /** This browser's own id with a person who has signed in here before. */
    knownAs: (request: FastifyRequest, person: PersonKey): string | undefined =>
      known.idOf(cookies.read(request, known.cookieName(person)), person),
  };
};

export type Browser = ReturnType<typeof createBrowser>;
