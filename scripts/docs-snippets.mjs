// The code in the documents is cut from files that are compiled and run by tests. As a program, this rewrites the
// code blocks from those files; as a module, it tells a test what the documents should say.
//
//   <!-- snippet: docs/examples/redis.ts#storage -->     the block that follows is that region of the file
//   // #region storage … // #endregion storage           the region; without a name the block is the whole file
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');

/** Languages whose blocks are code that can be wrong. */
const CODE = new Set(['ts', 'tsx', 'vue', 'js', 'jsx', 'mjs', 'html']);

const BLOCK = /(?:<!-- snippet: (?<source>\S+) -->\n+)?^```(?<language>\w*)\n(?<code>.*?)^```$/gms;

/** A marker whose block is missing. */
const BARE = /^(<!-- snippet: \S+ -->)\n+(?!\n|```)/gm;

const MARKER = /^\s*(?:\/\/|<!--) #(?:end)?region\b.*\n?/gm;

/** The documents, as paths from the root of the repository. */
export function documents() {
  const list = (/** @type {string} */ folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => extname(name) === '.md')
      .map((name) => join(folder, name));
  const top = readdirSync(root).filter((name) => extname(name) === '.md');
  const libraries = readdirSync(join(root, 'libs')).map((name) => join('libs', name, 'README.md'));
  return [...top, ...list('docs'), ...libraries];
}

/** @param {string} document */
export function read(document) {
  return readFileSync(join(root, document), 'utf8');
}

/**
 * The first line of each code block that no file stands behind.
 *
 * @param {string} markdown
 */
export function unmarkedBlocks(markdown) {
  return [...markdown.matchAll(BLOCK)]
    .filter(({ groups }) => groups && !groups.source && CODE.has(groups.language ?? ''))
    .map(({ groups }) => groups?.code?.split('\n')[0]);
}

/**
 * The document with each marked block as its source has it.
 *
 * @param {string} markdown
 */
export function withSnippets(markdown) {
  return markdown.replace(BARE, '$1\n\n```\n```\n\n').replace(BLOCK, (...match) => {
    const [block] = match;
    const { source } = /** @type {{ source?: string }} */ (match.at(-1));
    if (!source) return block;
    const [path = '', region] = source.split('#');
    const code = region ? cutRegion(read(path), region, source) : read(path).replace(MARKER, '');
    return `<!-- snippet: ${source} -->\n\n\`\`\`${extname(path).slice(1)}\n${code}\`\`\``;
  });
}

/**
 * @param {string} code
 * @param {string} region
 * @param {string} source
 */
function cutRegion(code, region, source) {
  const markers = `#region ${region}( -->)?\\n(?<lines>.*?)^[^\\n]*#endregion ${region}( -->)?$`;
  const lines = new RegExp(markers, 'ms').exec(code)?.groups?.lines;
  if (lines === undefined) throw new Error(`There is no region ${source}`);
  const text = lines.replace(MARKER, '').replace(/^\n+|\n+$/g, '');
  const indents = text.match(/^ *(?=\S)/gm) ?? [];
  const common = Math.min(...indents.map(({ length }) => length));
  return `${text.replace(new RegExp(`^ {${common}}`, 'gm'), '')}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const document of documents()) {
    const before = read(document);
    const after = withSnippets(before);
    if (after === before) continue;
    writeFileSync(join(root, document), after);
    console.log(`${document} rewritten`);
  }
}
