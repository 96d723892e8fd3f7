/** RFC 7644 section 3.12, table 9. */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue';

/** A refusal in SCIM's words: HTTP status, kind, and a sentence that says what to do. */
export class ScimError extends Error {
  override readonly name = 'ScimError';
  readonly status: number;
  readonly scimType: ScimType | undefined;
  constructor(status: number, scimType: ScimType | undefined, message: string) {
    super(message);
    this.status = status;
    this.scimType = scimType;
  }
}

/** What was said may hold anything and be of any length. */
export const quoted = (text: string): string =>
  JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text).replace(/\p{C}/gu, '?');

export const invalidFilter = (message: string) => new ScimError(400, 'invalidFilter', message);
export const invalidPath = (message: string) => new ScimError(400, 'invalidPath', message);
export const invalidValue = (message: string) => new ScimError(400, 'invalidValue', message);
export const invalidSyntax = (message: string) => new ScimError(400, 'invalidSyntax', message);
export const noTarget = (message: string) => new ScimError(400, 'noTarget', message);
export const readOnly = (name: string) =>
  new ScimError(400, 'mutability', `${quoted(name)} is set by Peta and cannot be changed.`);
export const taken = (message: string) => new ScimError(409, 'uniqueness', message);
export const tooMany = (message: string) => new ScimError(400, 'tooMany', message);
export const forbidden = (message: string) => new ScimError(403, undefined, message);
export const notFound = (message: string) => new ScimError(404, undefined, message);
export const notSupported = (message: string) => new ScimError(501, undefined, message);
export const changedMeanwhile = () =>
  new ScimError(
    412,
    undefined,
    'It has changed since you read it: read it again, and send the new version in If-Match.',
  );
