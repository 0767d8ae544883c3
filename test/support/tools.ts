export { chromium, headlessChromium, redisServer } from '../../scripts/tools.mjs';
