import type { Profiler } from 'node:inspector';

type Node = Profiler.ProfileNode;

/**
 * The time of a profile by the file that spent it, in µs. What Node.js and the engine do for a file counts as that file's:
 * the nearest caller that is no part of Node.js. To write the head of an answer is the work of Node.js itself, whoever
 * comes before it there.
 */
export function timeByFile({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile) {
  const callers = new Map(
    nodes.flatMap((node) => (node.children ?? []).map((child): [number, Node] => [child, node])),
  );
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const files = new Map(nodes.map((node) => [node.id, fileOf(node, callers)]));
  const times = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    if (byId.get(id)?.callFrame.functionName === '(idle)') continue;
    const file = files.get(id) ?? '';
    times.set(file, (times.get(file) ?? 0) + (timeDeltas[index + 1] ?? 0));
  }
  return times;
}

function fileOf(node: Node, callers: ReadonlyMap<number, Node>): string {
  for (let at: Node | undefined = node; at; at = callers.get(at.id)) {
    const { functionName, url } = at.callFrame;
    if (url.startsWith('file:')) return shortened(url);
    if (url.startsWith('node:') && functionName === 'writeHead') return 'Node.js';
  }
  return node.callFrame.functionName === '(garbage collector)' ? 'garbage collection' : 'Node.js';
}

/** Ours by its path in its package, another package by its name. */
function shortened(url: string): string {
  const path = decodeURIComponent(url).replaceAll('\\', '/');
  const [, ours] = /\/idle-session\/dist\/(.+)\.js$/.exec(path) ?? [];
  if (ours) return `nestjs-idle-session: ${ours}`;
  const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
  return name ?? 'the app';
}
