/** Answers everything with garbage. */
process.stdin.on('data', () => process.stdout.write('}{ garbage\n'));
