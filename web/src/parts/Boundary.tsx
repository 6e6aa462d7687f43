import { Component, type ReactNode } from 'react';
import { Failure } from '@/parts/States';

/** A page that breaks says so in its place; the frame around it goes on. */
export class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    // A chunk of an older build is gone after an update: loading the page anew gets the new one.
    return <Failure error={this.state.error} retry={() => location.reload()} />;
  }
}
