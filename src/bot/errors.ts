import { code, type Doc, doc, type Icon, line, title } from '../core/doc.ts';
import type { ErrorKind, VakhtaError } from '../core/error.ts';
import type { TextArgs, Translate } from '../core/i18n.ts';
import { ROLES } from '../core/people.ts';

const ICONS: Readonly<Record<ErrorKind, Icon>> = {
  usage: 'question',
  denied: 'lock',
  transient: 'warning',
  permanent: 'failed',
  bug: 'failed',
};

/** The sentence for a person: what happened and what to do. */
export function errorText(error: Pick<VakhtaError, 'text' | 'args'>, t: Translate): string {
  const args: TextArgs = Object.fromEntries(
    Object.entries(error.args).map(([name, value]) => [
      name,
      ROLES.some((role) => role === value) ? t(`role-${value}`) : value,
    ]),
  );
  return t.has(error.text) ? t(error.text, args) : t('err-internal');
}

export function errorDoc(error: VakhtaError, t: Translate, hint?: string): Doc {
  const head = title(ICONS[error.kind], errorText(error, t));
  return hint === undefined ? doc(head) : doc(head, line(`${t('bot-usage')} `, code(hint)));
}
