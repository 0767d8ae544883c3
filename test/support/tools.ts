export { chromium, redisServer } from '../../scripts/tools.mjs';
