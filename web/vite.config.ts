import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const server = process.env.ZAIRYO_URL ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [react()],
  resolve: {
    // Two copies of three.js draw axes but no image, and say nothing.
    dedupe: ['three', '@react-three/fiber', 'react', 'react-dom'],
    alias: [
      { find: /^@(?=\/)/, replacement: here('./src') },
      { find: /^ndarray$/, replacement: here('./src/plot/ndarray.ts') },
      { find: /^ndarray-ops$/, replacement: here('./src/plot/nothing.ts') },
    ],
  },
  build: {
    outDir: '../src/zairyo/server/static',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 1200,
  },
  server: { proxy: { '/api': { target: server, changeOrigin: true } } },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
