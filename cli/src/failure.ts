/** Something the person can do something about: the message is all they need to see. */
export class Failure extends Error {
  override readonly name = 'Failure';
}
