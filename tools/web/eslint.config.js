// Rules for the scripts in assets/web; `make lint` runs them.
import js from '@eslint/js';
import globals from 'globals';

export default [
  {ignores: ['assets/web/libraries/**']},
  js.configs.recommended,
  {
    files: ['assets/web/**/*.js'],
    languageOptions: {
      sourceType: 'script', // each is loaded as it is, in the order of iterit_ui/components/base.py
      globals: {...globals.browser, Plotly: 'readonly', studio: 'writable'},
    },
    rules: {
      eqeqeq: ['error', 'smart'],
      'no-implicit-globals': 'error',
      'no-shadow': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'prefer-template': 'error',
    },
  },
];
