mod set_breaker;
