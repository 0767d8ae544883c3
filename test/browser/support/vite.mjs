// Vite, on the app in the working directory:
//
//   node vite.mjs build react page.tsx server.tsx    what the browser gets, dist/page.js; what a server renders, rendered.html
//   node vite.mjs serve react URL                    for development: says where over IPC; sends what is not its own to URL
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import react from '@vitejs/plugin-react';
import vue from '@vitejs/plugin-vue';
import { build, createServer } from 'vite';

const [command, framework, ...rest] = process.argv.slice(2);

/** @type {import('vite').InlineConfig} */
const config = {
  configFile: false,
  logLevel: 'warn',
  plugins: [framework === 'react' ? react() : vue()],
};

if (command === 'build') {
  const [page = '', server = ''] = rest;
  const output = { entryFileNames: 'page.js' };
  await build({ ...config, build: { rollupOptions: { input: page, output } } });
  await build({
    ...config,
    build: { ssr: server, outDir: 'server', rollupOptions: { output } },
  });
  /** @type {{ rendered: string | Promise<string> }} */
  const { rendered } = await import(pathToFileURL(join(process.cwd(), 'server/page.js')).href);
  writeFileSync('rendered.html', await rendered);
} else {
  const [backend = ''] = rest;
  const server = await createServer({
    ...config,
    server: { host: '127.0.0.1', proxy: { '/idle-session': backend } },
  });
  await server.listen();
  process.send?.(server.resolvedUrls?.local[0]);
  process.once('disconnect', () => void server.close());
}
