export { chromium, redisServer } from '../../scripts/ensure-tools.mjs';
