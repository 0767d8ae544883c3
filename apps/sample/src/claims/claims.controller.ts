import { randomInt } from 'node:crypto';
import { Body, Controller, Get, Post, Render, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { SignedInPage } from '../auth/signed-in-page.js';
import { page } from '../page.js';
import { saveSession } from '../sessions/session-calls.js';
import { checkClaim, type ClaimErrors, type ClaimValues, KINDS, readClaim } from './claim-form.js';
import type { SentClaim } from './sent-claim.js';
import { SentClaims } from './sent-claims.js';

const KEPT_CLAIMS = 10;

@Controller('claims/new')
@SignedInPage()
export class ClaimsController {
  constructor(private readonly sentClaims: SentClaims) {}

  @Get()
  @Render('claim')
  form(@Req() request: Request) {
    return claimPage(request, readClaim({}));
  }

  @Post()
  async send(
    @Req() request: Request,
    @Body() body: unknown,
    @Res() response: Response,
  ): Promise<void> {
    const claim = readClaim(body);
    const errors = checkClaim(claim);
    if (Object.keys(errors).length > 0) {
      response.status(422).render('claim', claimPage(request, claim, errors));
      return;
    }
    const reference = newReference();
    const sentOn = new Date().toISOString().slice(0, 10);
    const sent: SentClaim = { reference, kind: claim.kind, sentOn };
    request.session.claims = [sent, ...(request.session.claims ?? [])].slice(0, KEPT_CLAIMS);
    await saveSession(request);
    this.sentClaims.add(request.session.user!.id, sent);
    response.redirect(303, `/?sent=${reference}`);
  }
}

function claimPage(request: Request, claim: ClaimValues, problem: ClaimErrors = {}) {
  const errors = Object.entries(problem).map(([field, text]) => ({ field, text }));
  return {
    ...page(request, 'New claim'),
    onClaim: true,
    claim,
    kinds: KINDS.map((label) => ({ label, chosen: label === claim.kind })),
    problem,
    errors: errors.length > 0 ? errors : undefined,
  };
}

/** Short enough to read out over the phone. */
function newReference(): string {
  return `CD-${randomInt(10 ** 5, 10 ** 6)}`;
}
