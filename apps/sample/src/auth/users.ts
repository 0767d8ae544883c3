import { Injectable, type OnModuleInit } from '@nestjs/common';
import { hashPassword, verifyPassword } from './passwords.js';
import type { User } from './user.js';

interface Account extends User {
  email: string;
  readonly passwordHash: string;
}

/** Stands in for the user database of a real app. */
@Injectable()
export class Users implements OnModuleInit {
  private readonly accounts = new Map<string, Account>();
  /** What an unknown name is verified against: any hash does, since it signs nobody in. */
  private decoyHash = '';

  async onModuleInit(): Promise<void> {
    const passwordHash = await hashPassword('demo');
    this.accounts.set('demo', {
      id: 'demo',
      name: 'Demo user',
      email: 'demo@example.com',
      passwordHash,
    });
    this.decoyHash = passwordHash;
  }

  /** The user, if the password is right. An unknown name costs as much work as a known one. */
  async authenticate(username: string, password: string): Promise<User | undefined> {
    const account = this.accounts.get(username);
    const matches = await verifyPassword(password, account?.passwordHash ?? this.decoyHash);
    return matches && account ? { id: account.id, name: account.name } : undefined;
  }

  emailOf(id: string): string | undefined {
    return this.accounts.get(id)?.email;
  }

  /** In the memory of this process: another does not know. */
  changeEmail(id: string, email: string): void {
    const account = this.accounts.get(id);
    if (account) account.email = email;
  }
}
