import { describe, expect, it } from '@jest/globals';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Request } from 'express';
import { isPageNavigation, pageOf } from './page-navigation.js';

const express = new ExpressAdapter().getInstance() as { request: Request };

const requestWith = (headers: Record<string, string>, line: Partial<Request> = {}): Request =>
  Object.assign(Object.create(express.request) as Request, {
    method: 'GET',
    originalUrl: '/',
    headers: { host: 'desk.example', ...headers },
    ...line,
  });

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

describe('isPageNavigation', () => {
  it.each<[string, Record<string, string>]>([
    ['navigate', { 'sec-fetch-mode': 'navigate' }],
    ['navigate, with any Accept', { 'sec-fetch-mode': 'navigate', accept: '*/*' }],
    ['a browser on plain http', { accept: BROWSER }],
    ['HTML preferred to JSON', { accept: 'application/json;q=0.5, text/html' }],
  ])('takes %s as a person asking for a page', (_, headers) => {
    expect(isPageNavigation(requestWith(headers))).toBe(true);
  });

  it.each<[string, Record<string, string>]>([
    ['a fetch', { 'sec-fetch-mode': 'cors', accept: BROWSER }],
    ['a same-origin fetch', { 'sec-fetch-mode': 'same-origin', accept: 'text/html' }],
    ['an image', { 'sec-fetch-mode': 'no-cors', accept: 'image/*' }],
    ['no headers at all', {}],
    ['anything', { accept: '*/*' }],
    ['JSON', { accept: 'application/json' }],
    ['JSON preferred to HTML', { accept: 'application/json, text/html;q=0.9' }],
    ['neither', { accept: 'image/png' }],
    ['XMLHttpRequest by its own word', { accept: BROWSER, 'x-requested-with': 'XMLHttpRequest' }],
    ['htmx by its own word', { accept: BROWSER, 'hx-request': 'true' }],
  ])('takes %s as a script', (_, headers) => {
    expect(isPageNavigation(requestWith(headers))).toBe(false);
  });
});

describe('pageOf', () => {
  it.each(['GET', 'HEAD'])('is the page that was asked for by %s', (method) => {
    expect(pageOf(requestWith({}, { method, originalUrl: '/claims/7?tab=notes' }))).toBe(
      '/claims/7?tab=notes',
    );
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('is the page that sent the form for %s', (method) => {
    const request = requestWith(
      { referer: 'https://desk.example/claims/new?step=2#notes' },
      { method, originalUrl: '/claims' },
    );
    expect(pageOf(request)).toBe('/claims/new?step=2');
  });

  it.each<[string, Record<string, string>]>([
    ['there is no referring page', {}],
    ['the referring page is on another site', { referer: 'https://evil.example/claims' }],
    ['the referring page is on another port', { referer: 'http://desk.example:81/claims' }],
    ['the referring page is no URL', { referer: '/claims' }],
    ['the referring path would leave the site', { referer: 'https://desk.example//evil.example' }],
  ])('is unknown for a form if %s', (_, headers) => {
    expect(pageOf(requestWith(headers, { method: 'POST', originalUrl: '/claims' }))).toBe(
      undefined,
    );
  });

  it('is unknown if going back there would leave the site', () => {
    expect(pageOf(requestWith({}, { originalUrl: '//evil.example' }))).toBe(undefined);
  });
});
