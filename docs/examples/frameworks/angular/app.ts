import { Component } from '@angular/core';
import { injectIdleSession } from 'idle-session-client/angular';

@Component({
  selector: 'app-root',
  template: `
    <p role="status">Your session: {{ session.state() }}</p>
    <button (click)="session.signOut()">Sign out</button>
    @if (session.failed()) {
      <p role="alert">The server could not be reached. Please try again.</p>
    }
  `,
})
export class App {
  protected readonly session = injectIdleSession();
}
