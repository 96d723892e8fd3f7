import { DrizzleQueryError } from 'drizzle-orm/errors';
import { Unavailable } from '#lib/unavailable';

const CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
]);
/** SQLSTATE: class 08 connection, 57014 statement timeout, 57P shutdown, 53 resources, 25006 read-only after a fail-over. */
const STATES = /^(08...|57014|57P0.|53...|25006)$/;
/** What pg and its pool say without a code. */
const MESSAGES =
  /^(timeout expired|timeout exceeded when trying to connect|Connection terminated( unexpectedly| due to connection timeout)?|Query read timeout|Client has encountered a connection error and is not queryable|Client was closed and is not queryable|Cannot use a pool after calling end on the pool)$/;

/** What the driver said, without what the query builder put around it. */
export const causeOf = (error: unknown): unknown =>
  error instanceof DrizzleQueryError && error.cause ? error.cause : error;

/** Is the database away, rather than the question wrong? */
export const isDatabaseUnavailable = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  if (CODES.has(code) || STATES.test(code) || MESSAGES.test(error.message)) return true;
  if (error instanceof AggregateError && error.errors.some(isDatabaseUnavailable)) return true;
  return error.cause !== undefined && isDatabaseUnavailable(error.cause);
};

/** Runs `use`; a database that is away becomes one sentence that anybody may see. */
export const withDatabase = async <T>(use: () => Promise<T>): Promise<T> => {
  try {
    return await use();
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    throw new Unavailable('Peta cannot reach its database right now. Try again in a moment.', { cause: error });
  }
};
