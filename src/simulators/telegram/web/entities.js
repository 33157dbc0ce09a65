/** @typedef {import('./types.js').Entity} Entity */
/** @typedef {string | { entity: Entity, children: EntityNode[] }} EntityNode */

const BLOCKS = new Set(['blockquote', 'expandable_blockquote', 'pre']);

/** @param {Entity} entity */
export const isBlock = (entity) => BLOCKS.has(entity.type);

/**
 * Text and its flat, possibly nested or overlapping entities as a tree; joined, its strings are the text again. Offsets count
 * UTF-16 code units, as JavaScript strings do. What overlaps is cut in two at the border; blocks are never cut by inline
 * entities. Entities that point outside the text are clipped.
 *
 * @param {string} text @param {readonly Entity[]} [entities] @returns {EntityNode[]}
 */
export function entityTree(text, entities = []) {
  const inside = entities.map((entity) => clip(entity, 0, text.length)).filter((entity) => entity.length > 0);
  const borders = inside.filter(isBlock).flatMap((block) => [block.offset, block.offset + block.length]);
  const pieces = inside.flatMap((entity) => (isBlock(entity) ? [entity] : cut(entity, borders)));
  return build(text, 0, text.length, pieces.sort(outermostFirst));
}

/** @param {Entity} entity @param {number} start @param {number} end @returns {Entity} */
function clip(entity, start, end) {
  const offset = Math.max(start, Math.min(end, entity.offset));
  return { ...entity, offset, length: Math.min(end, entity.offset + entity.length) - offset };
}

/** @param {Entity} entity @param {number[]} borders @returns {Entity[]} */
function cut(entity, borders) {
  const end = entity.offset + entity.length;
  const within = borders.filter((border) => border > entity.offset && border < end);
  const points = [entity.offset, ...new Set(within.sort((a, b) => a - b)), end];
  return points.slice(0, -1).map((start, i) => clip(entity, start, points[i + 1] ?? end));
}

/** @param {Entity} a @param {Entity} b */
function outermostFirst(a, b) {
  return a.offset - b.offset || Number(isBlock(b)) - Number(isBlock(a)) || b.length - a.length;
}

/** @param {string} text @param {number} start @param {number} end @param {Entity[]} sorted @returns {EntityNode[]} */
function build(text, start, end, sorted) {
  /** @type {EntityNode[]} */
  const nodes = [];
  const queue = [...sorted];
  let at = start;
  for (let entity = queue.shift(); entity; entity = queue.shift()) {
    if (entity.offset > at) nodes.push(text.slice(at, entity.offset));
    const stop = entity.offset + entity.length;
    /** @type {Entity[]} */
    const children = [];
    /** @type {Entity[]} */
    const later = [];
    for (const other of queue) {
      if (other.offset >= stop) later.push(other);
      else {
        const rest = clip(other, stop, end);
        if (rest.length > 0) later.push(rest);
        children.push(clip(other, entity.offset, stop));
      }
    }
    nodes.push({ entity, children: build(text, entity.offset, stop, children.sort(outermostFirst)) });
    queue.splice(0, queue.length, ...later.sort(outermostFirst));
    at = stop;
  }
  if (at < end) nodes.push(text.slice(at, end));
  return nodes;
}
