package io.crosstide.capture.shadow;

class InMemoryShadowTest extends ShadowContract {
  @Override
  Shadow create() {
    return new InMemoryShadow();
  }

  @Override
  Shadow afterCrash(Shadow dying) {
    return ((InMemoryShadow) dying).crashed();
  }
}
