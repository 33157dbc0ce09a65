const FORM = /^1:([A-Za-z0-9_-]{22})$/;

/** `1:` and the token of an action: 24 bytes of the 64 that Telegram allows. */
export const callbackData = (token: string): string => `1:${token}`;

/** The token, or nothing when the data is not ours (forged, or of another version). */
export const parseCallbackData = (data: string | undefined): string | undefined =>
  data === undefined ? undefined : FORM.exec(data)?.[1];
