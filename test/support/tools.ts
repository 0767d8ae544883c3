export {
  chromium,
  firefox,
  headlessChromium,
  redisServer,
  webKitDriver,
  xvfb,
} from '../../scripts/tools.mjs';
