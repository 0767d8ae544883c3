// One of the variants that are compared, in a process of its own, for as long as the process that started it is there.
import { Session } from 'node:inspector/promises';
import { closeApps } from './app.js';
import type { VariantAnswer, VariantQuestion } from './variant-process.js';
import { VARIANTS, type VariantName, type VariantOptions } from './variants.js';

const [name, options] = process.argv.slice(2) as [VariantName, string];
const { socketPath } = await VARIANTS[name](JSON.parse(options) as VariantOptions);
process.on('disconnect', () => void closeApps().then(() => process.exit()));

const inspector = new Session();
const answers: { [Q in VariantQuestion]: () => Promise<VariantAnswer[Q]> } = {
  // What all of its threads have used: collecting garbage is work, too.
  cpu: async () => process.cpuUsage(),
  async startProfile() {
    inspector.connect();
    await inspector.post('Profiler.enable');
    await inspector.post('Profiler.setSamplingInterval', { interval: 1000 });
    await inspector.post('Profiler.start');
  },
  async stopProfile() {
    return (await inspector.post('Profiler.stop')).profile;
  },
};
process.on('message', (question: VariantQuestion) => {
  void answers[question]().then((answer) => process.send?.({ answer }));
});
process.send?.(socketPath);
