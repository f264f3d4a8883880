import winston from 'winston';
import { redact } from './redact';

export type LogFields = Record<string, unknown>;
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

export interface Logger {
  log(level: LogLevel, message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

/** JSON lines: time, level, service, message (no field can take their names), the line's fields. Nothing gets past the redaction. */
export function createLogger({
  service,
  level,
  stream,
}: {
  service: string;
  level: string;
  /** Default: standard output. */
  stream?: NodeJS.WritableStream;
}): Logger {
  const out = winston.createLogger({
    level,
    format: winston.format.printf(({ level: lineLevel, message, fields }) => {
      const head = { time: new Date().toISOString(), level: lineLevel, service, message };
      return JSON.stringify({ ...head, ...(fields as LogFields), ...head });
    }),
    transports: [stream ? new winston.transports.Stream({ stream }) : new winston.transports.Console({ forceConsole: false })],
  });
  const log = (lineLevel: LogLevel, message: string, fields: LogFields = {}): void => {
    if (!out.isLevelEnabled(lineLevel)) return;
    out.log({ level: lineLevel, message: String(redact(message)), fields: redact(fields) });
  };
  return {
    log,
    error: (message, fields) => log('error', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    info: (message, fields) => log('info', message, fields),
    debug: (message, fields) => log('debug', message, fields),
  };
}
