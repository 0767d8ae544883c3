import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  ForbiddenException,
  type HttpException,
  HttpStatus,
  NotFoundException,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { StorageUnavailableException } from 'nestjs-idle-session';

const PAGES: Record<number, { title: string; text: string }> = {
  [HttpStatus.FORBIDDEN]: {
    title: 'We did not accept that',
    text: 'It came from another site. If you want to do it, start from the overview.',
  },
  [HttpStatus.NOT_FOUND]: {
    title: 'Page not found',
    text: 'If you typed the address, check that it is right.',
  },
  [HttpStatus.SERVICE_UNAVAILABLE]: {
    title: 'We will be right back',
    text: 'We cannot check who you are at the moment. Nobody signed you out: wait a little, then try again. If you were sending something, go back and send it again.',
  },
};

const RETRY_AFTER_S = '5';

/** Tells people about errors on a page, and scripts in JSON. Ended sessions never come here: the library's filter is asked first. */
@Catch(ForbiddenException, NotFoundException, StorageUnavailableException)
export class ErrorPageFilter implements ExceptionFilter {
  catch(exception: HttpException, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const response = http.getResponse<Response>();
    // express-session tries a failed save once more, when the answer is on its way already.
    if (response.headersSent) return;
    const status = exception.getStatus();
    response.status(status).vary('Accept').set('Cache-Control', 'no-store');
    const isOutage = exception instanceof StorageUnavailableException;
    if (isOutage) response.set('Retry-After', RETRY_AFTER_S);

    if (http.getRequest<Request>().accepts(['json', 'html']) === 'html') {
      response.render('error', PAGES[status]);
    } else {
      response.type(isOutage ? 'application/problem+json' : 'json');
      response.send(JSON.stringify(exception.getResponse()));
    }
  }
}
