import { Injectable, type OnModuleInit } from '@nestjs/common';
import { MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import { FRESH_SESSION, SKIP_IDLE_SESSION } from './route-metadata.js';

/** Finds routes, resolvers and message handlers whose decorators contradict each other, when the app starts. */
@Injectable()
export class FreshRouteRules implements OnModuleInit {
  private readonly scanner = new MetadataScanner();

  constructor(
    private readonly modules: ModulesContainer,
    private readonly reflector: Reflector,
  ) {}

  /** @throws {TypeError} naming the first */
  onModuleInit(): void {
    for (const { controllers, providers } of this.modules.values())
      for (const { metatype } of [...controllers.values(), ...providers.values()])
        if (isClass(metatype)) this.check(metatype);
  }

  private check(type: Function): void {
    const prototype = type.prototype as Record<string, Function>;
    for (const name of this.scanner.getAllMethodNames(prototype)) {
      const targets = [prototype[name]!, type];
      const has = (key: string) => this.reflector.getAllAndOverride(key, targets) !== undefined;
      if (has(FRESH_SESSION) && has(SKIP_IDLE_SESSION))
        throw new TypeError(
          `${type.name}.${name}() has both @FreshSession() and @SkipIdleSession(); it takes one of them: an exempt route is never refused.`,
        );
    }
  }
}

/** Factories, and values, have no class of their own. */
function isClass(metatype: unknown): metatype is Function {
  return typeof metatype === 'function' && typeof metatype.prototype === 'object';
}
