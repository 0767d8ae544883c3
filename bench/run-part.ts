// One part of the bench, in a process of its own: what one leaves behind, in memory or in the compiler, no other meets.
import { PARTS, type PartName, type PartOptions } from './parts/index.js';

const [name, options] = process.argv.slice(2);
const { run } = await PARTS[name as PartName]();
const report = await run(JSON.parse(options ?? '{}') as PartOptions);
process.send?.(report, () => process.exit());
