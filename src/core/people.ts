/** Roles in ascending order; each holds all rights of those before it. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const LANGUAGES = ['ru', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

/** A person in the configuration. */
export interface Operator {
  /** Short stable name used in the audit and on cards ("anna"). */
  readonly id: string;
  readonly name: string;
  readonly telegramId: number;
  readonly role: Role;
  readonly language: Language;
  /** IANA time zone. */
  readonly zone: string;
  /** Whether a TOTP secret is declared; the secret itself is the worker's alone. */
  readonly hasTotp: boolean;
}

export function holds(actual: Role, needed: Role): boolean {
  return ROLES.indexOf(actual) >= ROLES.indexOf(needed);
}

/** Anonymous group admins write as this user (telegram.md); it never holds a role. */
export const ANONYMOUS_ADMIN = 1_087_968_824;

/** Who asked for something. Stored with every run and every audit entry. */
export type Actor =
  | { readonly kind: 'operator'; readonly id: string }
  | { readonly kind: 'schedule'; readonly id: string }
  | { readonly kind: 'cli'; readonly id: string }
  | { readonly kind: 'http'; readonly id: string }
  | { readonly kind: 'system'; readonly id: string }
  /** Somebody without a place in the configuration; `id` is the Telegram id. Holds no role. */
  | { readonly kind: 'outsider'; readonly id: string };

/** `operator:anna`, as the audit and the cards' history write it. */
export const actorName = (actor: Actor): string => `${actor.kind}:${actor.id}`;
