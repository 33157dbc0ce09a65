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
  /** Told by a storm card, which they never left: over before it calmed down. */
  readonly collected: readonly string[];
  /** Storm cards that do not add up to what they collected. */
  readonly wrongStorms: readonly string[];
  readonly storms: number;
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
  readonly state: string;
  /** In a storm, and without a card of its own. */
  readonly isCollected: boolean;
  readonly unknown: number;
  readonly repeated: number;
}

/** Compares the chats with what the sender was promised, and each second message with what the outbox says of it. */
export async function judge(world: World, groups: readonly Group[], sender: AlertSender): Promise<Verdict> {
  const rows = await world.rows<Row & { readonly key: string }>(
    `select i.group_key as key, i.id::text as ref, c.message_id::int as "messageId", i.owner, i.state,
       exists (select from storm_incidents m where m.incident_id = i.id and not m.own_card) as "isCollected",
       (select count(*)::int from outbox o where o.card_id = c.id and o.state = 'unknown') as unknown,
       (select count(*)::int from outbox o where o.card_id = c.id and o.error like 'next: %repeat%') as repeated
     from incidents i left join cards c on c.kind = 'incident' and c.ref = i.id::text and c.chat_id < 0 and c.reader is null`,
  );
  const verdict = {
    wrong: [] as string[],
    lost: [] as string[],
    folded: [] as string[],
    collected: [] as string[],
    unexplained: [] as string[],
  };
  let messages = 0;
  let explained = 0;
  for (const group of groups) {
    const accepted = sender.accepted.get(group.name);
    const found = rows.filter(({ key }) => key === group.key);
    const [row] = found;
    const shown = ownCards(world, group);
    messages += shown.length;
    if (!accepted || accepted.version !== group.version) {
      verdict.wrong.push(`${group.name}: told ${group.version}, accepted ${accepted?.version ?? 'nothing'}`);
      continue;
    }
    if (!row || found.length !== 1) {
      verdict.wrong.push(`${group.name}: ${found.length} incidents`);
      continue;
    }
    const why = unexplained(shown.slice(1), row.unknown + row.repeated > 0);
    if (why === undefined) explained += Math.max(0, shown.length - 1);
    else verdict.unexplained.push(`${group.name}: ${why}`);
    const isFolded = accepted.level === 'info' && row.messageId === null && row.unknown > 0;
    // A press on the first of two copies, while the second was on its way, makes the first one the card.
    const newest = shown.find(({ id }) => id === row.messageId) ?? shown.at(-1);
    if (isFolded) verdict.folded.push(group.name);
    else if (!newest && row.isCollected && row.state === 'resolved' && accepted.firing === 0)
      verdict.collected.push(group.name);
    else if (!newest) verdict.lost.push(group.name);
    else {
      const wrong = differences(newest, group, accepted.firing, row);
      if (wrong.length > 0) {
        const story = await storyOf(world, row.ref);
        const told = sender.requests.get(group.name) ?? [];
        verdict.wrong.push(
          [`${group.name}: ${wrong.join(', ')}: ${newest.versions.at(-1)}`, ...told, ...story].join('\n'),
        );
      }
    }
  }
  const storms = await judgeStorms(world);
  verdict.unexplained.push(...storms.unexplained);
  return {
    ...verdict,
    wrongStorms: storms.wrong,
    storms: storms.n,
    messages: messages + storms.messages,
    explained: explained + storms.explained,
  };
}

/**
 * What is wrong with further messages of a card: each has to say that it may be the second, and the outbox has to know of an answer
 * that never came. One row may be repeated several times.
 */
function unexplained(again: readonly Shown[], isKnown: boolean): string | undefined {
  if (again.length === 0) return undefined;
  if (!isKnown) return `${again.length} more, nothing known of why`;
  const unmarked = again.filter(({ versions }) => !versions[0]?.includes(MARK));
  return unmarked.length > 0 ? `${unmarked.length} more without the mark` : undefined;
}

/** What the program knows of it, event by event. */
async function storyOf(world: World, incident: string): Promise<string[]> {
  const events = await world.rows<{ at: string; kind: string; data: unknown }>(
    `select to_char(at, 'MI:SS.MS') as at, kind, data from incident_events where incident_id = ${Number(incident)} order by id`,
  );
  return events.map(({ at, kind, data }) => `${at} ${kind} ${JSON.stringify(data)}`);
}

/** Messages that are cards of this incident: it stands in their verdict. A storm card names it in its list. */
const ownCards = (world: World, group: Group): Shown[] =>
  world.ledger
    .about(chatOf(group.team), ` · Disk full on ${group.name} · #`)
    .filter(({ versions }) =>
      versions.some((text) => text.split('\n')[0]?.includes(` · Disk full on ${group.name} · #`)),
    );

interface StormRow {
  readonly id: number;
  readonly chat: string;
  readonly messageId: number | null;
  readonly incidents: number;
  readonly alerts: number;
  readonly again: number;
}

/** Each storm has one card, whose numbers are those of what it collected. */
async function judgeStorms(world: World) {
  const rows = await world.rows<StormRow>(
    `select s.id::int as id, s.chat_id::text as chat, c.message_id::int as "messageId",
       (select count(*)::int from storm_incidents m where m.storm_id = s.id) as incidents,
       (select coalesce(sum((select count(*) from jsonb_object_keys(i.data -> 'alerts'))), 0)::int
          from storm_incidents m join incidents i on i.id = m.incident_id where m.storm_id = s.id) as alerts,
       (select count(*)::int from outbox o where o.card_id = c.id
          and (o.state = 'unknown' or o.error like 'next: %repeat%')) as again
     from storms s left join cards c on c.kind = 'storm' and c.ref = s.id::text order by s.id`,
  );
  const wrong: string[] = [];
  const without: string[] = [];
  let explained = 0;
  const isStorm = (text: string): boolean => /Storm( over| calms down)?:/u.test(text.split('\n')[0] ?? '');
  const messages = world.ledger.all.filter(({ versions }) => versions.some(isStorm));
  for (const { id, chat, messageId, incidents, alerts } of rows) {
    const card = messages.find((one) => one.chat === Number(chat) && one.id === messageId);
    const head = (card?.versions.at(-1)?.split('\n')[0] ?? 'no card').replaceAll(',', '');
    const told = [incidents, alerts].every((n, at) => head.match(/\d+/gu)?.[at] === String(n));
    if (!told) wrong.push(`storm ${id}: ${incidents} incidents, ${alerts} alerts, but: ${head}`);
  }
  for (const chat of new Set(rows.map((row) => row.chat))) {
    const storms = rows.filter((row) => row.chat === chat);
    const shown = messages.filter((one) => one.chat === Number(chat));
    // Which message was of which storm is not said in it: those without the mark are the first ones.
    const first = shown.filter(({ versions }) => !versions[0]?.includes(MARK));
    const more = shown.filter((one) => !first.slice(0, storms.length).includes(one));
    const why = unexplained(
      more,
      storms.some(({ again }) => again > 0),
    );
    if (why === undefined) explained += more.length;
    else without.push(`${chat}: ${storms.length} storms, and ${why}`);
  }
  return { wrong, unexplained: without, explained, n: rows.length, messages: messages.length };
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
