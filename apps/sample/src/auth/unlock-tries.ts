import { Injectable } from '@nestjs/common';

/** How often each person tried to unlock since their password was right. In the memory of this process: another counts anew. */
@Injectable()
export class UnlockTries {
  private readonly counts = new Map<string, number>();

  count(userId: string): number {
    const count = (this.counts.get(userId) ?? 0) + 1;
    this.counts.set(userId, count);
    return count;
  }

  clear(userId: string): void {
    this.counts.delete(userId);
  }
}
