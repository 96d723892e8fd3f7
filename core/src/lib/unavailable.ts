/** Something Peta needs is away for now. The message may be shown to anybody; trying again later may work. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
  readonly isUnavailable = true;
}
