"""What ``understudy train tables`` measures of the algorithms of meta-learning, beside what was published."""
