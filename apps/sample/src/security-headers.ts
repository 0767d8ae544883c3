import type { SecurityHeadersOptions } from '@nestjs/common';

const NONE = "'none'";
const SELF = "'self'";

export const securityHeaders: SecurityHeadersOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: NONE,
      scriptSrc: SELF,
      styleSrc: SELF,
      imgSrc: SELF,
      connectSrc: SELF,
      formAction: SELF,
      baseUri: NONE,
      frameAncestors: NONE,
    },
  },
  // A form that is sent too late leads back to its own page, which only the Referer tells.
  referrerPolicy: { policy: 'same-origin' },
  // For whoever terminates TLS to decide.
  strictTransportSecurity: false,
  xFrameOptions: { action: 'deny' },
};
