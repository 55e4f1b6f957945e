import js from '@eslint/js';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import redos from 'eslint-plugin-redos';
import regexp from 'eslint-plugin-regexp';
import tseslint from 'typescript-eslint';
import { ZONES } from './eslint.rooms.mjs';

export default tseslint.config(
  { ignores: ['dist/**', 'resources/**', 'node_modules/**', 'coverage/**', '.dev/**'] },
  js.configs.recommended,
  {
    // A pattern that takes more than linear time lets a stranger's bytes stop the user's Node-RED. Two plugins,
    // because they find by different means: the first by its rules, the second by a search for the worst text. Tests
    // and scripts meet only what they made themselves.
    files: ['src/**/*.ts', 'nodes/**/*.ts'],
    plugins: { regexp, redos },
    rules: {
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { report: 'potential', ignoreSticky: false }],
      'redos/no-vulnerable': ['error', { timeout: 10_000 }]
    }
  },
  {
    files: ['src/**/*.ts', 'nodes/**/*.ts', 'scripts/**'],
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.mjs', '.cjs', '.js'] })],
      'import-x/extensions': ['.ts', '.mjs'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] }
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones: ZONES, basePath: import.meta.dirname }],
      'import-x/no-cycle': ['error', { ignoreExternal: true }]
    }
  },
  {
    // A longer file holds two ideas. A fifth argument cannot be told from the fourth where a function is called.
    files: ['src/**/*.ts', 'nodes/**/*.ts', 'scripts/**'],
    rules: { 'max-lines': ['error', 400], 'max-params': ['error', 4] }
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.test.json', './tsconfig.editor.json'],
        tsconfigRootDir: import.meta.dirname
      }
    },
    rules: {
      // An unhandled rejection ends the user's Node-RED: these two are the point of linting here.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true }
      ],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }
      ]
    }
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // should.js states its assertions as property reads: `x.should.be.true()` or `.ok`.
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off'
    }
  },
  {
    files: ['nodes/editor/**/*.ts'],
    rules: {
      // Node-RED counts the parameters of a validator: those that give reasons have two.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }]
    }
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly'
      }
    }
  }
);
