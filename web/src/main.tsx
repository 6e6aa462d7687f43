import '@mantine/core/styles.layer.css';
import '@fontsource-variable/inter/wght.css';
import '@/app/global.css';
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { queryClient } from '@/api/queries';
import { App } from '@/app/App';
import { startI18n } from '@/app/i18n';
import { theme } from '@/app/theme';

const root = document.getElementById('root');
if (root) {
  void startI18n().then(() =>
    createRoot(root).render(
      <StrictMode>
        <MantineProvider theme={theme} defaultColorScheme="auto">
          <QueryClientProvider client={queryClient}>
            <BrowserRouter>
              <App />
            </BrowserRouter>
          </QueryClientProvider>
        </MantineProvider>
      </StrictMode>,
    ),
  );
}
