import type { NextFunction, Request, Response } from 'express';
import { isExpressSession } from './request-sessions.js';
import { endSparingWithheld, withholdSession } from './withheld-session.js';

type End = (...given: unknown[]) => Response;

/**
 * Ends each answer. express-session alone would leave it open where it fails with what is in `request.session`.
 * Call it before express-session, and have express-session call what it returns.
 *
 * @param onForeign called if a handler has put another session in the place of the module's, which is kept
 */
export function endingEachAnswer(
  request: Request,
  response: Response,
  next: NextFunction,
  onForeign: () => void,
): NextFunction {
  const plainEnd = endOf(response);
  return (error?: unknown) => {
    const value = request.session;
    const savingEnd = endOf(response);
    let hasFailed = false;
    response.end = (...given: unknown[]) => {
      if (hasFailed) return plainEnd(...given);
      if (request.session != null && !isExpressSession(request.session)) {
        Object.defineProperty(request, 'session', { configurable: true, writable: true, value });
        onForeign();
      }
      const hasBegun = response.headersSent;
      try {
        return endSparingWithheld(request, () => savingEnd(...given));
      } catch (failure) {
        // Such as a BigInt in the session, which is no JSON. The answer that says so has to end without it.
        hasFailed = true;
        withholdSession(request);
        if (hasBegun) plainEnd(...given);
        next(failure);
        return response;
      }
    };
    next(error);
  };
}

function endOf(response: Response): End {
  return response.end.bind(response) as End;
}
