/** Something the person can do something about: the message is all they need to see. */
export class Failure extends Error {
  override readonly name: string = 'Failure';
}

/** A command that was not understood as written. */
export class Misuse extends Failure {
  override readonly name = 'Misuse';
}

/** The failure that an error is, or that a library has wrapped. */
export const failureIn = (error: unknown): Failure | undefined => {
  if (error instanceof Failure) return error;
  return error instanceof Error && error.cause !== undefined ? failureIn(error.cause) : undefined;
};
