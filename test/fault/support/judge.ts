import type { AlertSender, Group } from './alerts.ts';
import type { Shown } from './ledger.ts';
import { chatOf, type World } from './world.ts';

export interface Verdict {
  /** Incidents whose newest card does not show what was accepted last, with the reason. */
  readonly wrong: readonly string[];
  /** Accepted groups that no card shows, though they are more than information. */
  readonly lost: readonly string[];
  /** Information that was perhaps sent, and is left to the digest. */
  readonly folded: readonly string[];
  readonly messages: number;
  /** Second messages of a card after an answer that never came. */
  readonly explained: number;
  readonly unexplained: readonly string[];
}

const MARK = '↻';
const WORD = { critical: 'CRITICAL', warning: 'WARNING', info: 'INFO' } as const;

interface Row {
  readonly ref: string;
  readonly messageId: number | null;
  readonly owner: string | null;
  readonly unknown: number;
  readonly repeated: number;
}

/** Compares the chats with what the sender was promised, and each second message with what the outbox says of it. */
export async function judge(world: World, groups: readonly Group[], sender: AlertSender): Promise<Verdict> {
  const rows = await world.rows<Row & { readonly key: string }>(
    `select i.group_key as key, i.id::text as ref, c.message_id::int as "messageId", i.owner,
       (select count(*)::int from outbox o where o.card_id = c.id and o.state = 'unknown') as unknown,
       (select count(*)::int from outbox o where o.card_id = c.id and o.error like 'next: %repeat%') as repeated
     from incidents i left join cards c on c.kind = 'incident' and c.ref = i.id::text`,
  );
  const verdict = { wrong: [] as string[], lost: [] as string[], folded: [] as string[], unexplained: [] as string[] };
  let messages = 0;
  let explained = 0;
  for (const group of groups) {
    const accepted = sender.accepted.get(group.name);
    const found = rows.filter(({ key }) => key === group.key);
    const [row] = found;
    const shown = world.ledger.about(chatOf(group.team), `Disk full on ${group.name} `);
    messages += shown.length;
    if (!accepted || accepted.version !== group.version) {
      verdict.wrong.push(`${group.name}: told ${group.version}, accepted ${accepted?.version ?? 'nothing'}`);
      continue;
    }
    if (!row || found.length !== 1) {
      verdict.wrong.push(`${group.name}: ${found.length} incidents`);
      continue;
    }
    const again = shown.slice(1);
    const isExplained = row.unknown + row.repeated > 0;
    const unmarked = again.filter(({ versions }) => !versions[0]?.includes(MARK));
    if (again.length > 0 && !isExplained)
      verdict.unexplained.push(`${group.name}: ${again.length} more, nothing known of why`);
    else if (unmarked.length > 0) verdict.unexplained.push(`${group.name}: ${unmarked.length} more without the mark`);
    else explained += again.length;
    const isFolded = accepted.level === 'info' && row.messageId === null && row.unknown > 0;
    const newest = shown.at(-1);
    if (isFolded) verdict.folded.push(group.name);
    else if (!newest) verdict.lost.push(group.name);
    else {
      const wrong = differences(newest, group, accepted.firing, row);
      if (wrong.length > 0) verdict.wrong.push(`${group.name}: ${wrong.join(', ')}: ${newest.versions.at(-1)}`);
    }
  }
  return { ...verdict, messages, explained };
}

function differences(newest: Shown, group: Group, firing: number, row: Row): string[] {
  const text = newest.versions.at(-1) ?? '';
  const wanted = [
    firing > 0 ? `${WORD[group.level]} · Disk full on ${group.name} ` : `RESOLVED · Disk full on ${group.name} `,
    `told ${group.version} of ${group.name}.`,
    ...(group.members.length > 1 && firing > 0 ? [`${firing} firing`] : []),
    ...(row.owner === null ? [] : [`${firing > 0 ? 'On it' : 'Handled by'}: ${capital(row.owner)}`]),
  ];
  const missing = wanted.filter((part) => !text.includes(part)).map((part) => `no "${part}"`);
  if (row.owner === null && /On it|Handled by/.test(text)) missing.push('an owner that nobody is');
  if (row.messageId !== newest.id) missing.push(`the card is message ${row.messageId}, the newest is ${newest.id}`);
  return missing;
}

const capital = (name: string): string => name.slice(0, 1).toUpperCase() + name.slice(1);
