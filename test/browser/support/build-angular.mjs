// node build-angular.mjs [zone]
//
// Bundles dist/page.js from compiled/page.js in the working directory, which Angular's compiler made. As the build of an
// Angular application does, it links the libraries ahead of time: the page needs no compiler.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import linker from '@angular/compiler-cli/linker/babel';
import { build } from 'esbuild';

// The one that the linker is made for.
const compiler = fileURLToPath(import.meta.resolve('@angular/compiler-cli'));
/** @type {{ transformAsync(code: string, options: object): Promise<{ code: string }> }} */
const babel = createRequire(compiler)('@babel/core');

await build({
  entryPoints: ['compiled/page.js'],
  outfile: 'dist/page.js',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  define: { ngDevMode: 'false', ngJitMode: 'false' },
  // A zone cannot follow it.
  supported: { 'async-await': !process.argv.includes('zone') },
  plugins: [
    {
      name: 'linker',
      setup(plugin) {
        plugin.onLoad({ filter: /@angular.*[.]mjs$/ }, async ({ path: filename }) => {
          const source = await readFile(filename, 'utf8');
          // The rest is as it will be.
          if (!source.includes('ɵɵngDeclare')) return undefined;
          const options = { filename, plugins: [linker], configFile: false, compact: false };
          const { code } = await babel.transformAsync(source, options);
          return { contents: code, loader: 'js' };
        });
      },
    },
  ],
});
