/** @type {import('jest').Config} */
export default {
  // #region transform
  transform: {
    // Beside the line for your own files.
    '^.+\\.js$': ['@swc/jest', { module: { type: 'commonjs' } }],
  },
  transformIgnorePatterns: [
    '/node_modules/(?!(@nestjs|nestjs-idle-session|idle-session-client|tinyqueue)/)',
  ],
  // #endregion transform
};
