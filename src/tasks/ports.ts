/**
 * What operations and checks may use of the outside, by name. app.ts composes them in the worker; a part of the
 * program that lacks a port (the bot role has no infrastructure credentials) simply has no entry.
 */
export interface Ports {
  readonly none: never;
}

export type PortName = keyof Ports;
