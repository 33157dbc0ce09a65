import { DateTime } from 'luxon';
import type { Catalogue, Translate } from '../../core/i18n.ts';
import { formatBytes } from '../../core/format.ts';
import { SCENARIOS, runbookOfScenario } from '../../core/dr.ts';
import { LANGUAGES, type Language } from '../../core/people.ts';
import type { Inventory } from '../../core/topology.ts';
import type { Config } from '../../config/schema.ts';
import type { Board } from '../recovery/board.ts';
import type { Runbooks } from '../runbooks.ts';
import { type KitFile, sha256 } from './archive.ts';
import { restoreCommands } from './commands.ts';

/** What the kit is put together from; what is absent was not to be had, and the kit says so. */
export interface KitInputs {
  readonly name: string;
  readonly at: Date;
  readonly version: string;
  readonly config: Config;
  /** The configuration file, as it stands. */
  readonly configText: string | undefined;
  readonly board: Board | undefined;
  readonly inventories: ReadonlyMap<string, Inventory>;
  /** Versions of the programs that took part in the last drills. */
  readonly programs: Readonly<Record<string, string>>;
  readonly notes: readonly { readonly path: string; readonly content: Buffer }[];
  readonly runbooks: Runbooks;
  readonly catalogue: Catalogue;
  /** Keeps secrets out of everything but the notes, which are their owners' own. */
  readonly redact: (text: string) => string;
}

/** The manifest's format. */
export interface KitManifest {
  readonly kit: 1;
  readonly site: string;
  readonly name: string;
  readonly madeAt: string;
  readonly version: string;
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
}

export const MANIFEST = 'manifest.json';

/** The files of a kit, the manifest last. Pure: nothing is read or looked up here. */
export function kitFiles(inputs: KitInputs): KitFile[] {
  const { config, redact, at, name, version } = inputs;
  const texts: (readonly [path: string, text: string])[] = [
    ...LANGUAGES.flatMap((language) => documents(inputs, language)),
    ['backups.json', json(inputs.board ?? {})],
    ['inventory.json', json(Object.fromEntries(inputs.inventories))],
    ['versions.json', json({ vakhta: version, ...inputs.programs, madeAt: at, site: config.site.id })],
    ...(inputs.configText === undefined ? [] : [['config/vakhta.yaml', inputs.configText] as const]),
    ...runbookFiles(inputs.runbooks),
  ];
  const files = [
    ...texts.map(([path, text]): KitFile => ({ path, content: Buffer.from(redact(text)) })),
    ...noteFiles(inputs.notes),
  ].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const manifest: KitManifest = {
    kit: 1,
    site: config.site.id,
    name,
    madeAt: at.toISOString(),
    version,
    files: files.map(({ path, content }) => ({ path, size: content.length, sha256: sha256(content) })),
  };
  const sums = manifest.files.map((one) => `${one.sha256}  ${one.path}\n`).join('');
  return [...files, { path: 'SHA256SUMS', content: Buffer.from(sums) }, file(MANIFEST, json(manifest))];
}

const file = (path: string, text: string): KitFile => ({ path, content: Buffer.from(text) });
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Names of their own, of letters that every archive program takes. */
function noteFiles(notes: KitInputs['notes']): KitFile[] {
  const taken = new Set<string>();
  return notes.map(({ path, content }) => {
    const base = (path.split('/').at(-1) ?? '').replaceAll(/[^\w.-]/gu, '_').slice(-60) || 'note';
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${n}-${base}`;
    taken.add(name);
    return { path: `notes/${name}`, content };
  });
}

function runbookFiles(runbooks: Runbooks): (readonly [string, string])[] {
  return (runbooks.names ?? []).flatMap((name) =>
    LANGUAGES.flatMap((language) => {
      const text = runbooks(name, language);
      return text === undefined ? [] : [[`runbooks/${language}/${name}.md`, text] as const];
    }),
  );
}

/** The documents that people read first; English ones end in `.md`, Russian ones in `.ru.md`. */
function documents(inputs: KitInputs, language: Language): (readonly [string, string])[] {
  const t = inputs.catalogue.for(language);
  const end = language === 'en' ? '.md' : '.ru.md';
  return [
    [`START-HERE${end}`, startHere(inputs, t)],
    [`restore${end}`, restores(inputs, t)],
    [`backups${end}`, backups(inputs, t)],
    [`inventory${end}`, inventory(inputs, t)],
  ];
}

const moment = (at: Date, { config }: KitInputs): string =>
  DateTime.fromJSDate(at, { zone: config.site.zone }).toFormat('yyyy-MM-dd HH:mm ZZ');

function startHere(inputs: KitInputs, t: Translate): string {
  const { config, configText, name, at, version, notes } = inputs;
  const items = [
    t('kit-doc-runbooks', { names: SCENARIOS.map(runbookOfScenario).join(', ') }),
    t('kit-doc-restore'),
    t('kit-doc-backups'),
    t('kit-doc-inventory'),
    configText === undefined ? t('kit-doc-no-config') : t('kit-doc-config'),
    ...(notes.length > 0 ? [t('kit-doc-notes')] : []),
  ];
  return text(
    `# ${t('kit-doc-start', { site: config.site.name })}`,
    t('kit-doc-made', { at: moment(at, inputs), version }),
    t('kit-doc-open', { name }),
    t('kit-doc-check'),
    `## ${t('kit-doc-what')}`,
    items.map((one) => `- ${one}`).join('\n'),
    t('kit-doc-order'),
    `## ${t('kit-doc-people')}`,
    config.operators.map((one) => `- ${one.name} (${one.id}): ${t(`role-${one.role}`)}`).join('\n'),
  );
}

function restores({ config }: KitInputs, t: Translate): string {
  const parts = restoreCommands(config).flatMap(({ target, where, secrets, lines }) => [
    `## ${target}`,
    where === undefined ? t('kit-doc-here') : t('kit-doc-where', { where: `\`${where}\`` }),
    ...(secrets.length > 0 ? [t('kit-doc-secrets'), secrets.map((one) => `- \`${one}\``).join('\n')] : []),
    ['```', ...lines, '```'].join('\n'),
  ]);
  return text(`# ${t('kit-doc-restore-head')}`, t('kit-doc-restore-text'), ...parts);
}

function backups(inputs: KitInputs, t: Translate): string {
  const { board } = inputs;
  const head = `# ${t('kit-doc-backups-head')}`;
  if (!board) return text(head, t('kit-doc-backups-none'));
  const parts = board.states.flatMap(({ target, line, backups: newest }) => {
    const rows = newest.slice(0, 5).map(({ label, kind, at, sizeBytes }) => {
      const size = sizeBytes === undefined ? '' : `, ${formatBytes(sizeBytes, t)}`;
      return `- \`${label}\` · ${kind} · ${moment(at, inputs)}${size}`;
    });
    return [`## ${target}`, t(line.key, line.args), ...(rows.length > 0 ? [rows.join('\n')] : [])];
  });
  return text(head, t('kit-doc-backups-at', { at: moment(board.at, inputs) }), ...parts);
}

function inventory({ inventories }: KitInputs, t: Translate): string {
  const head = `# ${t('kit-doc-inventory-head')}`;
  if (inventories.size === 0) return text(head, t('kit-doc-inventory-none'));
  const parts = [...inventories].flatMap(([source, { nodes, guests }]) => [
    `## ${source.replace(/^proxmox\.|\.inventory$/gu, '')}`,
    nodes.map(({ name, status }) => `- ${name}: ${status}`).join('\n'),
    guests
      .toSorted((a, b) => a.vmid - b.vmid)
      .map(({ vmid, name, node, type, status, addresses = [] }) =>
        `- ${vmid} ${name} (${type === 'lxc' ? 'CT' : 'VM'}, ${node}, ${status}) ${addresses.join(' ')}`.trimEnd(),
      )
      .join('\n'),
  ]);
  return text(head, ...parts);
}

const text = (...parts: readonly string[]): string => `${parts.join('\n\n')}\n`;
