/** In the place of `ndarray-ops`, which H5Web imports and uses nothing of; it would compile code at run time. */
export default {};
