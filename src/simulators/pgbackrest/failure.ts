/** An error as pgBackRest ends with it: its exit code and its words. */
export class Failure extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface World {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly now: () => Date;
  /** Waits, or rejects with the signal's reason. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly terminated: AbortSignal;
}
