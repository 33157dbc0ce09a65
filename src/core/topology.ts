import type { Labels } from './alertmanager.ts';
import type { IncidentAlert } from './incident.ts';
import type { LabelTest } from './routing.ts';

/** What one Proxmox VE installation says that there is. */
export interface Inventory {
  readonly nodes: readonly { readonly name: string; readonly status: string }[];
  readonly guests: readonly {
    readonly vmid: number;
    readonly name: string;
    readonly node: string;
    readonly type: 'lxc' | 'qemu';
    readonly status: string;
    readonly addresses?: readonly string[] | undefined;
  }[];
}

/** A node or a guest; `id` is unique among all installations: `pve1/node/pve1`, `pve1/guest/101`. */
export interface Entity {
  readonly id: string;
  readonly kind: 'node' | 'guest';
  readonly name: string;
  /** The id of the node that a guest runs on. */
  readonly on?: string;
}

/** Everything that is known to run somewhere, found by the names that labels use. */
export interface Topology {
  /** What this alert speaks of; `undefined` when its labels name nothing that is known, or several things. */
  readonly entityOf: (labels: Labels) => Entity | undefined;
  /** Whether `one` is `what`, or runs on it. */
  readonly isOn: (one: Entity, what: Entity) => boolean;
}

/** Labels that may hold the name of a node or a guest. */
const NAMES = [
  'instance',
  'host',
  'hostname',
  'nodename',
  'node',
  'guest',
  'vm',
  'name',
  'container',
  'target',
  'vmid',
  'id',
] as const;

/** `node/pve1`, `lxc/101`, `qemu/101`. */
const TYPED = /^(?:node\/[\w.-]+|(?:lxc|qemu)\/\d+)$/i;

/** From the inventories of all installations, by their ids. A name that two things have means neither of them. */
export function topologyOf(inventories: ReadonlyMap<string, Inventory>): Topology {
  const named = new Map<string, Entity | 'ambiguous'>();
  const learn = (name: string, entity: Entity): void => {
    const key = name.trim().toLowerCase();
    if (key === '') return;
    const known = named.get(key);
    named.set(key, known === undefined || (known !== 'ambiguous' && known.id === entity.id) ? entity : 'ambiguous');
  };
  for (const [site, { nodes, guests }] of inventories) {
    for (const { name } of nodes) {
      const entity: Entity = { id: `${site}/node/${name}`, kind: 'node', name };
      for (const word of [name, firstLabel(name), `node/${name}`]) learn(word, entity);
    }
    for (const { vmid, name, node, type, addresses = [] } of guests) {
      const entity: Entity = { id: `${site}/guest/${vmid}`, kind: 'guest', name, on: `${site}/node/${node}` };
      for (const word of [name, firstLabel(name), `${type}/${vmid}`, ...addresses]) learn(word, entity);
      // A bare number is a name only in labels that hold numbers of guests.
      learn(`vmid:${vmid}`, entity);
    }
  }
  const find = (word: string): Entity | undefined => {
    const found = named.get(word);
    return found === 'ambiguous' ? undefined : found;
  };
  const entityIn = (label: string, value: string): Entity | undefined => {
    const host = hostOf(value);
    if (/^\d+$/.test(host)) return label === 'vmid' || label === 'id' ? find(`vmid:${host}`) : undefined;
    // An address without its last parts is another address, not a name.
    return find(host) ?? (isAddress(host) ? undefined : find(firstLabel(host)));
  };
  return {
    entityOf: (labels) => {
      // The exporter of Proxmox VE says it outright; its `instance` is the host that it asked.
      const { id = '' } = labels;
      if (TYPED.test(id)) return find(id.toLowerCase());
      const found = new Map<string, Entity>();
      for (const label of NAMES) {
        const value = labels[label];
        const entity = value === undefined ? undefined : entityIn(label, value);
        if (entity) found.set(entity.id, entity);
      }
      // `node` beside `guest` says where the guest runs; it is still the guest that is spoken of.
      const guests = [...found.values()].filter(({ kind }) => kind === 'guest');
      const [only, ...others] = guests.length > 0 ? guests : [...found.values()];
      if (!only || others.length > 0) return undefined;
      const isApart = [...found.values()].some(({ kind, id }) => kind === 'node' && only.id !== id && only.on !== id);
      return isApart && only.kind === 'guest' ? undefined : only;
    },
    isOn: (one, what) => one.id === what.id || one.on === what.id,
  };
}

const firstLabel = (name: string): string => name.split('.')[0] ?? name;
const isAddress = (host: string): boolean => /^[\d.]+$/.test(host) || host.includes(':');

/** The host of `https://web1.lan:8006/x`, `web1.lan:9100`, `[fd00::5]:9100` or `web1`, in small letters. */
function hostOf(value: string): string {
  const rest = value
    .trim()
    .toLowerCase()
    .replace(/^[a-z][a-z0-9+.-]*:\/\//, '');
  const bracketed = /^\[([^\]]+)\]/.exec(rest)?.[1];
  if (bracketed !== undefined) return bracketed;
  const host = rest.split('/')[0] ?? rest;
  return host.split(':').length > 2 ? host : host.replace(/:\d*$/, '');
}

/** Whether an alert says that a node or a guest is down. */
export const saysDown = (labels: Labels, down: readonly Readonly<Record<string, LabelTest>>[]): boolean =>
  down.some((tests) =>
    Object.entries(tests).every(([label, test]) => {
      const value = labels[label] ?? '';
      return 'equals' in test ? value === test.equals : test.pattern.test(value);
    }),
  );

/** A firing incident, as far as folding is concerned. */
export interface Foldable {
  readonly id: number;
  readonly truncated: number;
  readonly alerts: readonly Pick<IncidentAlert, 'status' | 'labels'>[];
}

/** What a firing incident is about, in terms of what runs where. */
export interface Placed {
  readonly id: number;
  /** What its firing alerts speak of; absent when one of them speaks of nothing that is known, or is not known itself. */
  readonly about?: readonly Entity[];
  /** What it says is down. */
  readonly down: readonly Entity[];
}

/** Nothing is guessed: an alert that speaks of nothing known, or one that the sender left out, keeps the incident apart. */
export function placed(
  { id, truncated, alerts }: Foldable,
  topology: Topology,
  down: readonly Readonly<Record<string, LabelTest>>[],
): Placed {
  const firing = alerts.filter(({ status }) => status === 'firing');
  const about = new Map<string, Entity>();
  const fallen = new Map<string, Entity>();
  let isKnown = firing.length > 0 && truncated === 0;
  for (const { labels } of firing) {
    const entity = topology.entityOf(labels);
    if (!entity) isKnown = false;
    else {
      about.set(entity.id, entity);
      if (saysDown(labels, down)) fallen.set(entity.id, entity);
    }
  }
  return { id, down: [...fallen.values()], ...(isKnown ? { about: [...about.values()] } : {}) };
}

/**
 * The incident that this one belongs to: all its firing alerts speak of what is down by it, or of what runs on that. A
 * service on a guest on a node belongs to the node's incident when that is down too, so what is folded folds nothing.
 */
export function parentOf(incident: Placed, all: readonly Placed[], topology: Topology): number | undefined {
  const covers = (parent: Placed, { about }: Placed): boolean =>
    about !== undefined && about.every((one) => parent.down.some((what) => topology.isOn(one, what)));
  // Of two that say the same of each other the older one stands for both.
  const isUnder = (one: Placed, parent: Placed): boolean =>
    one.id !== parent.id && covers(parent, one) && (!covers(one, parent) || parent.id < one.id);
  const above = all.filter((parent) => isUnder(incident, parent));
  const tops = above.filter((one) => !all.some((other) => isUnder(one, other)));
  const height = ({ down }: Placed): number => (down.some(({ kind }) => kind === 'node') ? 0 : 1);
  return tops.toSorted((a, b) => height(a) - height(b) || a.id - b.id)[0]?.id;
}
